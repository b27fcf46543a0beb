# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From pictures to detections: model packages, ONNX Runtime, decoding. Needs no training library."""
