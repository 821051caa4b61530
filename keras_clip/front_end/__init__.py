"""Arguments and variables, as the optimizers of both front ends have them."""
