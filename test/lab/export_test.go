package lab

import "os"

// Outdate lets a program look older than its sources.
func Outdate(out string) error { return os.Remove(mark(out)) }

// Sources are the states of the files below root that count for the product, programs and test programs.
func Sources(root string) (of [3]string) {
	for i, want := range []func(string) bool{isProductSource, isProgramSource, isSource} {
		of[i] = sourcesBelow(root, want)
	}
	return of
}
