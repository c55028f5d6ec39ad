"""How good a model is: figures, intervals and what they say."""
