"""The room of torch and fastai: backbones, weights, loaders, devices, checkpoints, fitting."""
