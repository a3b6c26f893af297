import Commands

Train.runAndExit()
