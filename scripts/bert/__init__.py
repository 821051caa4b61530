"""What the commands for BERT share: data, configs, training and its errors."""
