"""What can be named without TensorFlow."""

ARCHITECTURES = ("se_resnet", "simple_cnn", "mini_xception")
"""Those of architectures.py that are offered to people."""
