"""The pipeline's stages: thin verbs that meet only through files."""
