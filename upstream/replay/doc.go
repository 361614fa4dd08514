// Package replay plays recorded sessions again: the app's part to a smarthost
// ([Recording.Script]), or the smarthost's part to an app, and says what is
// different now.
//
// It does not record what happens then and opens no record: it is given the
// entries of a session and speaks through connections that it is given. Its one
// rule: without a word from its owner no message leaves it.
package replay
