import Commands

Perplexity.runAndExit()
