"""Tasks that runs train on: data, model and measures, one a file."""
