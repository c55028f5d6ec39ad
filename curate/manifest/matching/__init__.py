"""Choose pictures of two classes that agree in their nuisance features: numbers and labels in, rows out. All pure."""
