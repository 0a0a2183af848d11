"""The program `epo-run`, for `python -m epo`. Environments in Python are made with the module `epo_env`."""
