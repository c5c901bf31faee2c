package sink

import (
	"github.com/ragedge/ragedge/daemon/mqtt"
)

// login is what an MQTT sink needs of c to get into its broker.
func (c *Config) login() mqtt.Login {
	return mqtt.Login{URL: c.URL, Username: c.Username, PasswordFile: c.PasswordFile, CAFile: c.CAFile}
}

// checkMQTT adds what is wrong with the keys of type mqtt.
func (c *Config) checkMQTT(add func(key string, err error)) {
	c.login().Check(add)
	if err := mqtt.CheckTopic(c.Topic); err != nil {
		add("topic", err)
	}
	c.checkSpill(add)
}

// CheckFiles reads the files that c names, which has passed Check: the password
// and the certificates of an MQTT sink. Errors name the key and the file.
func (c *Config) CheckFiles() error { return c.login().CheckFiles() }
