// Package house holds the rules of the house that a compiler does not: which
// room may import which, that every room says what it is for, that the pages
// name tests that exist, and that the licences of others are told.
package house
