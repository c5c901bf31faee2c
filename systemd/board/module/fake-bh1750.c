// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * An I2C bus with one light sensor on it, a BH1750 at 0x23, for boards that are
 * emulated. Both parameters can be changed while it runs, in
 * /sys/module/fake_bh1750/parameters.
 */
#include <linux/i2c.h>
#include <linux/module.h>

static ushort counts = 120;
module_param(counts, ushort, 0644);
MODULE_PARM_DESC(counts, "what the sensor measures; 1.2 counts are a lux");

static bool unplugged;
module_param(unplugged, bool, 0644);
MODULE_PARM_DESC(unplugged, "nobody answers at the address");

static int answer(struct i2c_adapter *bus, struct i2c_msg *messages, int n)
{
	int i, k;

	for (i = 0; i < n; i++) {
		struct i2c_msg *m = &messages[i];

		if (unplugged || m->addr != 0x23)
			return -EREMOTEIO;
		if (m->flags & I2C_M_RD)
			for (k = 0; k < m->len; k++)
				m->buf[k] = k % 2 ? counts : counts >> 8;
	}
	return n;
}

static u32 abilities(struct i2c_adapter *bus)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = answer,
	.functionality = abilities,
};

static struct i2c_adapter bus = {
	.owner = THIS_MODULE,
	.name = "fake bus with a BH1750",
	.algo = &algorithm,
};

static int __init plug(void)
{
	return i2c_add_adapter(&bus);
}
module_init(plug);

static void __exit unplug(void)
{
	i2c_del_adapter(&bus);
}
module_exit(unplug);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Fake I2C bus with a light sensor");
