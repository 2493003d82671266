#pragma once

// The whole library.
#include "tickpipe/api_handler.h"
#include "tickpipe/decimal.h"
#include "tickpipe/error.h"
#include "tickpipe/integration_adapter.h"
#include "tickpipe/pipeline.h"
#include "tickpipe/pipeline_config.h"
#include "tickpipe/status.h"
#include "tickpipe/subscription.h"
#include "tickpipe/tick.h"
#include "tickpipe/timestamp.h"
