package main

// NodeFormat is the session as a program for Node.js. Most apps there send
// with nodemailer; it can neither stop after a recipient nor say a line of
// one's own, and needs to be installed, so the program speaks itself.
func (x *export) NodeFormat() format {
	return format{
		name:  "node",
		about: "a program for Node.js that repeats it, with nothing to install",
		file:  ".js", each: true,
		write: x.writeReproduction((*reproduction).node),
	}
}

func (r *reproduction) node() (string, error) {
	return r.program(language{
		file: "node.txt", mark: "//", run: "node repro.js",
		text: quoteASCII, quote: quoteASCII,
		slice: "%s.slice(%d, %d)", truth: [2]string{"false", "true"}, let: "const %s = %s;",
	})
}
