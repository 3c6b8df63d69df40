"""What was once done to these commands and is tried ever since: each with the tests that try it.

``python -m tests.faults --rows`` prints the table that stands in `.github/RELIABILITY.md`.
"""

WALL = "comparisons/check/subject/test_wall.py"
COMMANDS = "faults/test_commands.py"
APART = "comparisons/contenders/test_apart.py"
STREAMS = "comparisons/running/test_streams.py"
TABLE = "comparisons/check/grading/test_table.py"
CREW = "comparisons/check/grading/test_crew.py"
CHECK = "comparisons/commands/test_check.py"
LOCK = "comparisons/running/test_file_lock.py"
IDX = "comparisons/data/test_idx.py"
JOURNAL = "comparisons/accuracy/test_journal.py"
TEMPORARY = "comparisons/running/test_temporary.py"
WORKER = "comparisons/running/test_worker_process.py"
FAULTS = "faults/test_faults.py"
PLACES = "faults/test_places.py"
CLOCKS = "faults/test_clocks.py"
FILES = "comparisons/results/test_files.py"
MIRRORS = "comparisons/data/test_mirrors.py"
PROCESSES = "comparisons/running/test_processes.py"
PARALLEL = "comparisons/running/test_parallel.py"
DOCUMENT = "comparisons/report/test_document.py"
PAGE = "comparisons/report/test_page.py"
DASK = "comparisons/accuracy/test_dask_workers.py"

# What was done -> "file::test" below tests/, of each that tries it.
ROWS: dict[str, tuple[str, ...]] = {
    "a loss that runs code when unpickled, a lying metaclass": (
        f"{WALL}::test_a_number_that_would_run_code_when_unpickled_is_a_number",
        f"{WALL}::test_a_metaclass_that_lies_about_names_is_not_asked",
    ),
    "a contender of one's own that exits, crashes, hangs, floods, or is no Python": (
        f"{APART}::test_whatever_a_call_does_is_one_sentence",
        f"{APART}::test_a_file_that_cannot_be_imported_is_bad_input",
        f"{APART}::test_the_row_of_a_faulty_one_fails_and_those_of_the_others_stay",
    ),
    "a NaN loss, exits and floods among hand-ins": (
        f"{COMMANDS}::test_those_that_misbehave_have_a_row_each_and_change_no_other",
    ),
    "helpers that hold the output, a byte and silence, answers ahead, forks, copies that all answer": (
        f"{WALL}::test_a_child_that_holds_the_pipe_does_not_hold_us",
        f"{WALL}::test_a_byte_and_then_silence_is_a_hang",
        f"{WALL}::test_an_answer_written_ahead_is_its_own_loss",
        f"{WALL}::test_nothing_that_it_started_is_left",
        f"{WALL}::test_copies_that_come_back_from_its_method_are_found_and_never_heard",
    ),
    "an import without end, or one that exits or raises": (
        f"{WALL}::test_an_import_without_end_is_a_finding",
        f"{WALL}::test_an_error_at_import_is_the_classs_own",
    ),
    "a run over many hand-ins that is stopped, killed, resumed or repeated; a checker that is killed": (
        f"{TABLE}::test_a_row_is_on_the_disk_when_it_is_added",
        f"{TABLE}::test_a_row_torn_anywhere_is_dropped_and_those_before_it_stay",
        f"{CHECK}::test_a_run_that_is_repeated_checks_nothing_twice_unless_it_is_told_to",
        f"{CHECK}::test_a_run_that_is_resumed_ends_with_the_exit_code_of_one_that_was_never_stopped",
        f"{CREW}::test_a_checker_that_is_killed_costs_one_hand_in_and_is_replaced",
    ),
    "numbers that are none, garbage on the pipe, signals to the checker": (
        f"{WALL}::test_what_is_no_number_is_a_finding_in_printable_words",
        f"{WALL}::test_bytes_that_are_no_message_are_a_finding",
        f"{WALL}::test_signals_to_its_parent_or_its_group_do_not_reach_us",
    ),
    "a file numpy.py, scratch.py or inspect.py in the current folder": (
        f"{PROCESSES}::test_a_python_of_ours_takes_the_installed_module",
        f"{PROCESSES}::test_workers_of_joblib_take_the_installed_modules",
        f"{PROCESSES}::test_no_other_module_starts_an_interpreter_of_its_own",
        "test_package.py::test_check_takes_no_file_of_the_current_folder",
        "test_package.py::test_speed_takes_no_file_of_the_current_folder",
    ),
    "a table or an outcome written to a device, a pipe, a link": (
        f"{FILES}::test_a_device_is_written_to_and_stays_a_device",
        f"{FILES}::test_a_named_pipe_is_written_to_whoever_reads_it",
        f"{FILES}::test_a_named_pipe_that_nobody_reads_is_refused_at_once",
        f"{FILES}::test_a_link_stays_and_what_it_points_to_is_written",
        f"{FILES}::test_a_hyphen_is_the_standard_output",
    ),
    "a class with nothing to compare; no class, a syntax error, a missing import": (
        f"{COMMANDS}::test_those_that_misbehave_have_a_row_each_and_change_no_other",
        f"{CHECK}::test_an_absent_class_does_not_stop_the_grading_of_the_others",
    ),
    "formulas, control characters, markup in names and messages": (
        f"{TABLE}::test_no_cell_begins_a_formula_and_no_row_a_second_line",
        "comparisons/check/grading/test_pages.py::test_nothing_of_a_hand_in_becomes_code_of_the_page",
    ),
    "a class that is another's, or computes with a framework": (
        f"{WALL}::test_a_class_that_imports_a_framework_is_noted",
        f"{WALL}::test_a_class_that_subclasses_ours_is_noted",
    ),
    "two commands in one folder": (f"{LOCK}::test_the_second_waits_and_says_for_whom",),
    "Ctrl-C at any moment": (
        f"{STREAMS}::test_ctrl_c_at_any_moment_of_the_start_is_130_and_one_line",
        f"{COMMANDS}::test_ctrl_c_before_the_first_step_of_numerical_is_130_and_one_line",
    ),
    "a full disk, a full output, every other fault of the system": (
        f"{FAULTS}::test_every_call_of_the_system_may_fail",
        f"{STREAMS}::test_a_full_output_is_one_sentence_and_no_failure_of_what_was_checked",
    ),
    "an output in any encoding": (f"{STREAMS}::test_every_encoding_takes_every_text",),
    "values that nothing can be done with, a folder that is gone": (
        f"{COMMANDS}::test_a_value_that_nothing_can_be_done_with_is_one_sentence",
        f"{COMMANDS}::test_a_folder_that_is_gone_is_one_sentence",
    ),
    "data that are cut, or say something else than they hold": (
        f"{IDX}::test_a_file_cut_anywhere_is_refused",
        f"{IDX}::test_sizes_whose_product_overflows_32_bits_are_not_believed",
        f"{IDX}::test_one_changed_value_is_noticed_in_each_of_the_four_files",
    ),
    "results that are cut or hold something else; text in a page that would be a script": (
        f"{DOCUMENT}::test_a_file_cut_anywhere_is_refused",
        f"{DOCUMENT}::test_a_document_of_another_form_is_refused",
        f"{PAGE}::test_names_full_of_markup_stay_text",
        f"{PAGE}::test_no_text_in_a_figure_can_end_its_script_element",
    ),
    "data that are a pipe, or a small archive of something huge": (
        f"{IDX}::test_a_named_pipe_is_refused_and_not_waited_for",
        f"{IDX}::test_no_more_is_unpacked_than_the_header_asks_for",
    ),
    "a journal with torn, changed or contradicting lines": (
        f"{JOURNAL}::test_a_line_torn_anywhere_is_dropped_and_those_before_it_stay",
        f"{JOURNAL}::test_a_line_changed_by_hand_is_named",
        f"{JOURNAL}::test_two_lines_that_contradict_each_other_are_named",
    ),
    "Dask's last worker or its scheduler killed (where Dask is installed)": (
        f"{DASK}::test_what_is_lost_is_one_sentence_and_what_was_finished_is_kept",
    ),
    "a class that exits, aborts, stops itself, sleeps or eats memory in a call": (
        f"{WALL}::test_every_end_of_a_call_is_a_finding",
    ),
    "SIGTERM, SIGHUP and kills while temporary folders are in use": (
        f"{TEMPORARY}::test_it_is_gone_after_a_signal",
        f"{TEMPORARY}::test_what_a_kill_left_is_removed_by_the_next",
    ),
    "kills between a temporary file and its rename": (
        f"{FAULTS}::test_what_a_killed_command_left_in_the_results_is_removed_by_the_next",
    ),
    "a report that is read by `head`": (
        f"{COMMANDS}::test_a_report_that_is_read_by_head_ends_as_other_tools_do",
    ),
    "a process of a contender that is silent where speed is measured": (
        "comparisons/running/test_line_process.py::test_whoever_is_silent_is_ended",
    ),
    "a right class on a busy machine": (
        f"{WORKER}::test_a_process_on_a_busy_machine_is_given_its_time",
    ),
    "no home, no cache, no folder for temporary files; each of them read-only, or full": (
        f"{COMMANDS}::test_without_a_place_for_what_it_keeps_a_check_is_a_check_or_a_sentence",
        f"{PLACES}::test_where_it_keeps_its_own_things_nothing_can_be_written",
    ),
    "a table, a report, results in a place that is read-only or full": (
        f"{PLACES}::test_where_it_is_told_to_write_nothing_can_be_written",
    ),
    "no permission": (f"{FAULTS}::test_every_call_of_the_system_may_fail",),
    "two downloads at once, a partly filled cache, a cache that cannot be written to": (
        f"{MIRRORS}::test_two_downloads_at_once_fill_the_cache_once_and_leave_nothing_else",
        f"{MIRRORS}::test_of_a_cache_that_is_partly_filled_only_what_is_missing_or_damaged_is_fetched",
        f"{MIRRORS}::test_a_cache_that_cannot_be_written_to_is_one_sentence",
        f"{MIRRORS}::test_a_file_that_another_command_has_put_there_first_is_taken",
    ),
    "a clock that is set while a command runs": (
        f"{CLOCKS}::test_no_limit_and_no_duration_is_taken_by_a_clock_that_can_be_set",
        f"{CLOCKS}::test_a_right_class_passes_while_the_clock_jumps",
        f"{CLOCKS}::test_the_second_command_waits_as_long_as_it_was_told_to",
        f"{CLOCKS}::test_what_is_in_use_is_not_taken_for_old",
    ),
    "a thousand workers": (
        f"{COMMANDS}::test_those_that_misbehave_have_a_row_each_and_change_no_other",
        f"{PARALLEL}::test_a_thousand_workers_are_no_more_than_there_are_tasks",
    ),
    "an environment without extras": (
        "test_package.py::test_no_extra_is_in_the_environment",
        "test_package.py::test_a_command_runs_with_the_dependencies_alone",
        "test_package.py::test_the_main_job_and_the_report_run_with_the_dependencies_alone",
    ),
    "inside the sandbox: the home folder, a socket, a file outside /tmp": (
        f"{WALL}::test_inside_the_sandbox_a_file_of_the_home_folder_cannot_be_read",
        f"{WALL}::test_inside_the_sandbox_nothing_can_be_written_outside_tmp",
        f"{WALL}::test_inside_the_sandbox_no_socket_reaches_out",
    ),
    "Windows and macOS, read from the source": (
        "test_portable.py::test_what_not_all_systems_have_stands_where_the_platform_is_asked_for",
        "test_portable.py::test_every_text_that_is_read_or_written_names_its_encoding",
    ),
    "no sandbox": ("comparisons/running/test_sandbox.py::test_without_the_program_that_is_said",),
}  # fmt: skip


def table() -> str:
    """In Markdown, a line per row."""
    lines = ["| what is done | tried by |", "| --- | --- |"]
    for done, tests in ROWS.items():
        names = "<br>".join(f"`tests/{test.replace('::', '` `')}`" for test in tests)
        lines.append(f"| {done} | {names} |")
    return "\n".join(lines)
