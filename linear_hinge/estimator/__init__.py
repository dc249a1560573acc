"""The estimator: parameters, validation, labels, attributes, callbacks; no mathematics."""
