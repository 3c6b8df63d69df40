"""Would the suite notice? Mistakes planted in the project's own source, one at a time, and the tests run.

python -m tests.mutation --look                             which tests run which function (once, minutes)
python -m tests.mutation --part verdicts --sample 45        a line per part: killed, survived, equivalent
python -m tests.mutation --only scratch/losses.py           every mutant of a file
python -m tests.mutation --list --part data                 what would be planted
python -m tests.mutation --sample-for-ci                    replace what no longer holds of sample.toml
python -m tests.mutation.by_hand                            mistakes that people wrote, each by its test
"""
