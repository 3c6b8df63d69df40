"""The chapters of the page, in reading order: one module each, with `build(results) -> Section | None`.

A chapter stands in the folder of its question; its name here is the module's, below `backproof.comparisons`.
"""

SECTIONS = (
    "gradients.chapter",
    "gradients.campaign_chapter",
    "zoo.chapter",
    "gradients.step_sizes_chapter",
    "accuracy.chapter",
    "accuracy.details_chapter",
    "record.chapter",
    "speed.chapter",
    "speed.details_chapter",
    "numerical.chapter",
    "report.protocol_chapter",
    "lessons.chapter",
)

# What to say where `build` returned None: the chapter's title, and the command that fills it.
NOT_RUN = {
    "gradients.chapter": ("Same maths?", "backproof gradients"),
    "accuracy.chapter": ("Same accuracy?", "backproof accuracy"),
    "speed.chapter": ("How fast?", "backproof speed"),
    "numerical.chapter": ("Can a network learn by numerical differentiation alone?", "backproof numerical"),
    "lessons.chapter": ("Lessons", "backproof lessons --all"),
}
