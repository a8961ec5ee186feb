// SPDX-License-Identifier: Apache-2.0
// SwiftPM wants a source file in every C target; the header is all there is.
#include <cells.h>
