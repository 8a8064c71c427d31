package state

import "os"

func removeIn(root *os.Root, name string) error { return root.Remove(name) }
