"""The words of argoproj.io/v1alpha1, literally; nowhere else."""
