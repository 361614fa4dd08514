package replay

import "strings"

// masked stands where a secret stood, as in the record.
const masked = "***"

// keepSecrets remembers what no step may show: a smarthost may repeat it, raw or
// as it was sent.
func (p *player) keepSecrets(c *Credentials) {
	for _, secret := range []string{c.Password, c.Token} {
		if secret != "" {
			p.secrets = append(p.secrets, secret, encode([]byte(secret)))
		}
	}
}

// mask takes all of it out of a text. What is as short as a word is masked as a
// whole word only, since it would riddle any text.
func (p *player) mask(text string) string {
	for _, secret := range p.secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, masked)
			continue
		}
		words := strings.Split(text, " ")
		for i, word := range words {
			if strings.Trim(word, `"'<>()[]:;,.`) == secret {
				words[i] = masked
			}
		}
		text = strings.Join(words, " ")
	}
	return text
}
