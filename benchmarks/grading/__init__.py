"""What grading costs and how exact it is, and what sampling policies save."""
