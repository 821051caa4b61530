"""Claims about the tf_keras front end alone."""
