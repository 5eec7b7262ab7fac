"""Training of the expression classifier: pure Python and Keras, no Django."""
