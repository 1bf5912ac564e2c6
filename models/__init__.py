"""What a model is: definitions. Fitted ones are bundles, none in git."""

from models.bundle import Model
from models.conversion import ConversionModel
from models.reason_classifier import ReasonClassifier

# To add a model: one file in this folder, one line here; training, serving and the tests read it.
MODELS: dict[str, type[Model]] = {model.kind: model for model in (ConversionModel, ReasonClassifier)}
