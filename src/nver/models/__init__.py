"""What is trained to be used: model folders, the predictor, training, pre-training."""
