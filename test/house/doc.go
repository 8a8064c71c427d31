// Package house holds the rules of the house that a compiler does not: which
// room may import which, and that every room says what it is for.
package house
