import Commands

Sample.runAndExit()
