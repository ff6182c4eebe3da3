"""The tests of Assay."""
