"""The use cases, one file each: what the server and the command line ask of the house."""
