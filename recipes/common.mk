# What the Makefiles share. They run in the root of the checkout.

SEED = 1
PYTHON = python
RNNTAG = $(PYTHON) -m rnntag

# A file has its name only once it is whole, even after a power cut.
save = > $@.new && mv $@.new $@
# What an interrupted `rnntag train` leaves beside the directory of its model.
checkpoint = $(wildcard $(dir $(@D)).$(notdir $(@D)).checkpoint)
out = --seed $(SEED) --out $(@D) --force $(if $(checkpoint),--resume)

.SECONDEXPANSION:
.DELETE_ON_ERROR:
