"""From a release to a student: laid out and proved for its trainer, then trained, whatever ends meanwhile."""
