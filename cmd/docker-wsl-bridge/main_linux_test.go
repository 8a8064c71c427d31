package main

import "os"

// play is the program, as another process, or nothing.
func play(role string, args []string) int {
	if role == "program" {
		return run(args, os.Stdout, os.Stderr)
	}
	return 98
}

func noStories([]string) bool { return false }
