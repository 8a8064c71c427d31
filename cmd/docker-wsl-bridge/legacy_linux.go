package main

func originalArgs(args []string) []string { return args }

func debuggerPresent() bool { return false }
