# What the Makefiles share. They run in the root of the checkout.

SEED = 1
PYTHON = python
RNNTAG = $(PYTHON) -m rnntag

# Open text: files of $(TEXT), and untagged corpora of NLTK.
chinese = $(addprefix $(TEXT)/zh_,prose_simplified.txt.xz technical_simplified.txt.xz wikipedia_simplified.txt.xz \
	wikipedia_traditional.txt.xz science_simplified.txt.xz other_traditional.txt.xz)
english = $(TEXT)/en_social.txt.xz $(TEXT)/en_sentences.txt.xz
nltk_english = product_reviews_1 product_reviews_2 sentence_polarity subjectivity state_union

# A file has its name only once it is whole, even after a power cut.
save = > $@.new && mv $@.new $@
# What an interrupted `rnntag train` leaves beside the directory of its model.
checkpoint = $(wildcard $(dir $(@D)).$(notdir $(@D)).checkpoint)
out = --seed $(SEED) --out $(@D) --force $(if $(checkpoint),--resume)

.SECONDEXPANSION:
.DELETE_ON_ERROR:
