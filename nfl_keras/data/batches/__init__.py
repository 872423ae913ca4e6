"""Which photographs make up a batch, and the tf.data pipelines that read them."""
