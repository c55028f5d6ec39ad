"""Trainings in order: one task, a series of them, and folders that are whole or not there."""
