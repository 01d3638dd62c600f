"""The data folder of an existing installation, read as a source and never written."""
