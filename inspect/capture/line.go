package capture

// Version is the one that is written, and the only one that is read.
const Version = 1

// Bounds of a capture. Those of a line's parts make memory follow from its
// length: an empty object takes three octets there, and hundreds in memory.
const (
	maxLine   = 64 << 20 // octets of a line: a session of some 200,000 events
	maxNested = 1 << 19  // objects and lists in a line
	maxParts  = 1 << 22  // commas in a line: members of objects and lists
	maxPiece  = 64 << 10 // octets of a message in a line
)

// anyLine is what tells the kinds of line apart.
type anyLine struct {
	ID   string    `json:"id"`
	Mark *mark     `json:"capture"`
	Body *bodyLine `json:"body"`
	End  *endLine  `json:"end"`
}

// mark is the member that makes the object of a session a capture.
type mark struct {
	Version int    `json:"version"`
	By      string `json:"by"`
	Exact   exact  `json:"exact"`
}

// bodyLine is some octets of a message.
type bodyLine struct {
	Session string `json:"session"`
	Message int    `json:"message"`
	Offset  int64  `json:"offset"` // of the first of them in the message
	Data    []byte `json:"data"`
}

// endLine says that a session is whole.
type endLine struct {
	Session string    `json:"session"`
	Bodies  []Content `json:"bodies"`
}

// Content is what a capture holds of a message.
type Content struct {
	Message int    `json:"message"` // 0 is the first
	Octets  int64  `json:"octets"`
	SHA256  string `json:"sha256"` // of them, in lower-case hex
}
