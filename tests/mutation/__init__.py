"""Would the suite notice? Mistakes planted in the project's own source, one at a time, and the tests run.

python -m tests.mutation --part verdicts --sample 60        a table per part: killed, survived, equivalent
python -m tests.mutation --only scratch/losses.py           every mutant of a file
python -m tests.mutation --list --part data                 what would be planted
"""
