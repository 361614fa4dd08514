package testenv

// dnsFaults are names that do not lead to an address.
func dnsFaults() map[string]starter {
	return map[string]starter{
		"connect.dns-no-such-host":            lookup(0),
		"connect.dns-no-such-host/no-address": noAddress,
		"connect.dns-failure":                 lookup(Servfail),
		"connect.dns-failure/refused":         lookup(Refused),
		"connect.dns-failure/silent":          lookup(Silent),
	}
}

// misspelt is the upstream of all of them: the name that people type.
const misspelt = "smtp.gmial.com"

func lookup(t Trouble) starter {
	return func(f *Fault, o FaultOptions) error {
		host := o.host(misspelt)
		d, err := f.dns()
		if err != nil {
			return err
		}
		if t != 0 {
			d.Trouble(host, t)
		}
		f.Upstream = host + ":587"
		return nil
	}
}

// noAddress offers a name that exists, for mail exchangers only.
func noAddress(f *Fault, o FaultOptions) error {
	d, err := f.dns()
	if err != nil {
		return err
	}
	d.MX(o.host(misspelt), "10 mx.example.com.")
	f.Upstream = o.host(misspelt) + ":587"
	return nil
}
