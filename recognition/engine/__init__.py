"""The engine: photos in, faces and their expressions out; pure Python, no Django."""
