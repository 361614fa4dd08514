package capture

import (
	"bytes"
	"encoding/base64"
	"strconv"
)

// quick reads a line of octets that stands as the [Writer] writes it, into the
// memory of to: a large message is nothing but such lines. What stands
// otherwise is encoding/json's.
func quick(line, to []byte) (b bodyLine, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"body":{"session":"`))
	if !ok {
		return b, false
	}
	id, rest, ok := bytes.Cut(rest, []byte(`","message":`))
	if !ok || !sane(string(id)) {
		return b, false
	}
	message, rest, _ := bytes.Cut(rest, []byte(`,"offset":`))
	offset, rest, _ := bytes.Cut(rest, []byte(`,"data":"`))
	data, ok := bytes.CutSuffix(bytes.TrimRight(rest, "\r\n"), []byte(`"}}`))
	if !ok || bytes.IndexByte(data, '\r') >= 0 || len(message) > 9 || len(offset) > 18 || !digits(message) || !digits(offset) {
		return b, false
	}
	octets, err := base64.StdEncoding.AppendDecode(to, data)
	if err != nil {
		return b, false
	}
	b = bodyLine{Session: string(id), Data: octets}
	b.Message, _ = strconv.Atoi(string(message)) // digits they are
	b.Offset, _ = strconv.ParseInt(string(offset), 10, 64)
	return b, true
}

// digits tells a number as JSON has it.
func digits(b []byte) bool {
	return len(bytes.Trim(b, "0123456789")) == 0 && (len(b) == 1 || len(b) > 1 && b[0] != '0')
}
