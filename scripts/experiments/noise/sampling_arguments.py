"""Adds the options of scripts that sample the noise during training."""

import command_line


def add_sampling_arguments(parser: command_line.Parser) -> None:
    """Adds options for points, number of samples, output and seed.

    Args:
        parser: The script's parser.
    """
    add = parser.add_argument
    add("--output_dir", required=True, metavar="DIR", help="where to write")
    add(
        "--points",
        nargs="+",
        action="extend",
        type=command_line.integer(0),
        default=[0, 100, 1000, 3000],
        help="steps of training after which the noise is sampled",
    )
    add(
        "--num_samples",
        type=command_line.integer(1),
        default=1500,
        help="mini-batches at each point",
    )
    add(
        "--full_gradient_batches",
        type=command_line.integer(1),
        default=500,
        help="batches that the full gradient is the mean of, without images",
    )
    add("--seed", type=int, default=0, help="of weights and batches")
