/*
 * What operators see of a running proxy: the control socket.
 */
#pragma once

#include "waypost/run/supervisor.h"

extern const struct supervisor_admin admin_control;
