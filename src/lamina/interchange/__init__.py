"""How networks leave Lamina and return: the native model file and other formats."""
