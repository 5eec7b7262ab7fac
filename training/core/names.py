"""What can be named without TensorFlow."""

ARCHITECTURES = ("se_resnet", "se_resnet_wide", "simple_cnn", "mini_xception")
"""Those of architectures.py that are offered to people."""
