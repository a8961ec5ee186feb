// SPDX-License-Identifier: Apache-2.0
// SwiftPM requires a source file in every C target; there are only headers here.
#include <tcpstate_event.h>
