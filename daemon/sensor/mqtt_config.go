package sensor

import (
	"errors"
	"fmt"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// login is what an mqtt sensor needs of c to get into its broker.
func (c *Config) login() mqtt.Login {
	return mqtt.Login{URL: c.URL, Username: c.Username, PasswordFile: c.PasswordFile, CAFile: c.CAFile}
}

// CheckFiles reads the files that c names, which has passed Check: the password and
// the certificates of an mqtt sensor. Errors name the key and the file.
func (c *Config) CheckFiles() error { return c.login().CheckFiles() }

func (c *Config) checkMQTT(add func(string, error)) {
	c.login().Check(add)
	add("topic", mqtt.CheckFilter(c.Topic))
	add("availability", mqtt.CheckTopic(c.Availability))
	add("data_format", oneOf(c.DataFormat, []string{FormatJSON, FormatInflux, FormatRegions}))
	switch regions := c.DataFormat == FormatRegions; {
	case regions && len(c.Channels) > 0:
		add("channels", fmt.Errorf("data_format %q names modalities and channels itself", FormatRegions))
	case !regions && len(c.Channels) == 0:
		add("channels", errors.New(`required: which values to keep, and the channel of each, as in { temperature = "hall" }`))
	}
}
