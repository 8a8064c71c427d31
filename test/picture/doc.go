// Package picture turns what a program has written to a terminal into a picture of that terminal:
// Terminal is the terminal, as far as our programs and those of the docs use one, SVG the picture.
//
// It knows nothing of how a program is run. What it does not understand it leaves out: a picture
// is looked at before it is shown.
package picture
