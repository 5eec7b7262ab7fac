"""Training of the expression classifier, in Python and Keras without Django: see README.md."""
