import Commands

Inspect.runAndExit()
