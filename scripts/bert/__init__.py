"""Data, configs, training and errors of the commands for BERT."""
